# The 1-class task: find the lesion, whatever it is.
_base_ = ['./liver4_512.py']
train_dataloader = dict(dataset=dict(single_class=True))
val_dataloader = dict(dataset=dict(single_class=True))
test_dataloader = dict(dataset=dict(single_class=True))
