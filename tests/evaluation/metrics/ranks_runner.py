"""One rank of many two-rank evaluations: FOLDER RANK. Run by test_ranks.

Each subfolder of FOLDER with a gt.json is a case; its `order.json` holds, for each rank, the
images that it predicts, in its order.
"""

import json
import sys
from pathlib import Path

from test_lesion_f1_metric import CLASSES, LesionF1Metric
from test_ranks import predictions
from torch import distributed


def main(folder: Path, rank: int) -> None:
    meeting = f'file://{folder / "meeting"}'
    distributed.init_process_group('gloo', init_method=meeting, rank=rank, world_size=2)
    for case in sorted(path.parent for path in folder.glob('*/gt.json')):
        samples = predictions(json.loads((case / 'gt.json').read_text()))
        metric = LesionF1Metric(str(case / 'gt.json'), out_dir=str(case / 'two'))
        metric.dataset_meta = {'classes': CLASSES}
        order = json.loads((case / 'order.json').read_text())[rank]
        for index in order:
            metric.process(None, [samples[index]])
        scores = metric.evaluate(len(samples))
        (case / f'rank{rank}.json').write_text(json.dumps(scores))
    distributed.destroy_process_group()


if __name__ == '__main__':
    main(Path(sys.argv[1]), int(sys.argv[2]))
