# YOLOX-s on the 1-class task: find the lesion, whatever it is.
_base_ = ['./yolox_s_1xb64-300e_liver4-512.py']
model = dict(bbox_head=dict(num_classes=1))
train_dataloader = dict(dataset=dict(dataset=dict(single_class=True)))
val_dataloader = dict(dataset=dict(single_class=True))
test_dataloader = dict(dataset=dict(single_class=True))
