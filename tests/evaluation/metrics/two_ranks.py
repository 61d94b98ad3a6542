"""One rank of a two-rank evaluation: FOLDER IMAGES RANK. Run by test_lesion_f1_metric."""

import json
import sys
from pathlib import Path

from test_lesion_f1_metric import CLASSES, LesionF1Metric, data_set
from torch import distributed
from torch.utils.data import DistributedSampler


def main(folder: Path, images: int, rank: int) -> None:
    meeting = f'file://{folder / "meeting"}'
    distributed.init_process_group('gloo', init_method=meeting, rank=rank, world_size=2)
    private = folder / f'rank{rank}'
    private.mkdir()
    _, samples = data_set(private, images)
    metric = LesionF1Metric(str(folder / 'gt.json'), out_dir=str(folder / 'two'))
    metric.dataset_meta = {'classes': CLASSES}
    for index in DistributedSampler(samples, 2, rank, shuffle=False):
        metric.process(None, [samples[index]])
    scores = metric.evaluate(len(samples))
    (folder / f'rank{rank}.json').write_text(json.dumps(scores))
    distributed.destroy_process_group()


if __name__ == '__main__':
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
