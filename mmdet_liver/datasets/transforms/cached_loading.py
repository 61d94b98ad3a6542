"""Loading that decodes an image once, and keeps grey images as one channel.

In MMEngine's root registry, so that a runner of any scope finds it.
"""

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmengine.registry import TRANSFORMS

from mmdet_liver.datasets.image_cache import CachedImage, ImageCache, Stamp
from mmdet_liver.datasets.image_errors import is_local, naming_broken_image
from mmdet_liver.errors import input_error


@TRANSFORMS.register_module()
class LoadCachedImage(LoadImageFromFile):
    """`LoadImageFromFile` with a cache of decoded images; the pixels are the host's, bit for bit.

    An image whose three channels are equal is kept as one, whether its file is grey or
    colour. All other arguments are those of `LoadImageFromFile`. Images of another file
    backend than the local disk are not cached.

    Args:
        cache_dir: folder of the decoded images, shared by all processes and runs; it is
            never emptied. None or 'none' (an environment variable's way to say it): no cache.
        max_mb: most that the folder holds, in 10^6 bytes.
        grey: 'expand': (H, W, 3) always; 'keep': (H, W) where the channels are equal. The
            transforms up to `ExpandGrey` then have to take both; MMDetection's `Contrast`
            and `PhotoMetricDistortion` do not.
        max_side: shrink larger images so that the longer side has so many pixels, bilinearly,
            with the boxes of `instances`; smaller ones stay as they are. For training only:
            predictions on a shrunken image are not scaled back. Resizing twice is not
            bit-equal to resizing once. None: as they are.
    Raises:
        ValueError: for an impossible argument, or masks beside `max_side`.
        InputError: for an image that is truncated or damaged (unless `ignore_empty`).
    """

    def __init__(
        self,
        *args,
        cache_dir: str | None = None,
        max_mb: float = 4000,
        grey: str = 'expand',
        max_side: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        if grey not in ('expand', 'keep'):
            raise _argument_error(f'grey={grey!r}', "'expand' or 'keep'")
        if max_mb <= 0:
            raise _argument_error(f'max_mb={max_mb}', 'above 0')
        if max_side is not None and max_side < 1:
            raise _argument_error(f'max_side={max_side}', '1 or more, or None')
        self.grey = grey
        self.max_side = max_side
        variant = f'{self.color_type} {self.imdecode_backend} {self.to_float32} {max_side}'
        cached = cache_dir not in (None, '', 'none')
        self.cache = ImageCache(cache_dir, max_mb, variant) if cached else None

    def transform(self, results: dict) -> dict | None:
        """Add `img`, `img_shape` (its height, width) and `ori_shape` (those of the file)."""
        image = self._load(results['img_path'])
        if image is None:
            return None
        pixels, ori_shape = image
        shape = pixels.shape[:2]
        if shape != ori_shape:
            results = _with_scaled_boxes(results, shape[1] / ori_shape[1], shape[0] / ori_shape[0])
        if pixels.ndim == 2 and self._collapses() and self.grey == 'expand':
            pixels = cv2.merge([pixels] * 3)
        return {**results, 'img': pixels, 'img_shape': shape, 'ori_shape': ori_shape}

    def _load(self, path: str) -> CachedImage | None:
        local = self.cache is not None and is_local(path, self.backend_args)
        stamp = Stamp.of(path) if local else None
        if stamp is None:
            return self._decode(path)
        image = self.cache.load(path, stamp)
        if image is None:
            image = self._decode(path)
            if image is not None:
                self.cache.store(path, stamp, image)
        return image

    def _decode(self, path: str) -> CachedImage | None:
        if self.ignore_empty:
            loaded = super().transform({'img_path': path})
        else:
            with naming_broken_image(path, self.backend_args):
                loaded = super().transform({'img_path': path})
        if loaded is None:
            return None
        pixels = loaded['img']
        if self._collapses() and (self.cache is not None or self.grey == 'keep'):
            pixels = one_channel_if_grey(pixels)
        return CachedImage(shrunken(pixels, self.max_side), loaded['ori_shape'])

    def _collapses(self) -> bool:
        # What is asked for as grey, or as the file has it, has the shape that the host gives it.
        return self.color_type.startswith('color')


@TRANSFORMS.register_module()
class ExpandGrey(BaseTransform):
    """(H, W) -> (H, W, 3), as a view that cannot be written to: the last step before packing.

    An image of three channels stays as it is.
    """

    def transform(self, results: dict) -> dict:
        img = results['img']
        if img.ndim == 2:
            img = np.broadcast_to(img[..., None], (*img.shape, 3))
        return {**results, 'img': img}


def one_channel_if_grey(img: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (H, W) if its channels are equal in every pixel, else `img` itself."""
    if img.ndim == 2 or img.shape[2] != 3:
        return img
    first = np.ascontiguousarray(img[..., 0])
    equal = np.array_equal(first, img[..., 1]) and np.array_equal(first, img[..., 2])
    return first if equal else img


def shrunken(img: np.ndarray, max_side: int | None) -> np.ndarray:
    """Shrink bilinearly, as MMDetection's `Resize` does, until no side exceeds `max_side`."""
    if max_side is None or max(img.shape[:2]) <= max_side:
        return img
    return mmcv.imrescale(img, (max_side, max_side))


def _with_scaled_boxes(results: dict, scale_x: float, scale_y: float) -> dict:
    # `bbox` of an instance is xyxy in pixels.
    instances = results.get('instances', ())
    if any('mask' in instance for instance in instances):
        raise _argument_error('max_side beside masks', 'boxes only')
    scale = np.array([scale_x, scale_y, scale_x, scale_y])
    scaled = [{**i, 'bbox': (np.asarray(i['bbox']) * scale).tolist()} for i in instances]
    return {**results, 'instances': scaled} if scaled else results


def _argument_error(found: str, expected: str) -> Exception:
    return input_error('LoadCachedImage', found, expected, 'correct the config')
