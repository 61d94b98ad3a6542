"""Speed and memory of the phantom: images a second on one core at 640x480, PNG written.

The claim is at least 10 a second. Memory is the peak of this process after the first and
after the second half of the patients: it must not grow with their number.
"""

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2

from mmdet_liver.preparation.phantom import scanners, views
from mmdet_liver.preparation.phantom.export import write_patient


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--patients', type=int, default=40, help='patients to render')
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    # The hospital's other machines have other sizes; the claim is about this one.
    views.SCANNERS = tuple(
        replace(s, width=640, height=480, suffix='.png') for s in scanners.SCANNERS
    )
    with tempfile.TemporaryDirectory() as folder:
        write_patient(Path(folder), 1, 0)  # fonts and scan maps
        peaks, images = [], 0
        start, start_busy = time.perf_counter(), time.process_time()
        for index in range(args.patients):
            truth, _ = write_patient(Path(folder), 0, index)
            images += len({r.image_path for r in truth})
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        seconds, busy = time.perf_counter() - start, time.process_time() - start_busy
    print(f'{images} images of 640x480 on one core (claim: at least 10/s)')
    print(f'{images / busy:.1f} images/s of processor time, {images / seconds:.1f} by the clock')
    print(f'peak memory {peaks[len(peaks) // 2]:.0f} MiB half way, {peaks[-1]:.0f} MiB at the end')


if __name__ == '__main__':
    main()
