# `make demo` and `make test` are complete on a fresh clone: they make .venv, install the
# pinned set of constraints.txt once, and do their work. `make help` lists what else there is.

# The first Python 3.11 or 3.12 that really runs (a version manager's stub may not).
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
	2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
SEED ?= 0
DEMO := work_dirs/demo
RUN := $(DEMO)/seed$(SEED)
REPORT := $(RUN)/report
SIMSIAM := configs/demo/simsiam_r18w32_1xb64-coslr_phantom-96.py
CENTERNET := configs/demo/centernet_r18w32_stepwise_1xb16_phantom4-160.py
CORES := $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 8 ? 8 : n)))
BASES := $(wildcard configs/_base_/*.py configs/_base_/*/*.py)

.PHONY: help install demo test lint format doctor clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    the whole line on made-up images: export, COCO, SimSiam, CenterNet, report'
	@echo 'make test    ruff and all tests'
	@echo 'make doctor  what is installed, what is wrong, and the command that mends it'
	@echo 'make install, make lint, make format, make clean (the demo'"'"'s files; .venv stays)'
	@echo 'SEED=1 make demo runs the demo with another seed; PYTHON=... chooses the interpreter'

install: $(INSTALLED)

$(INSTALLED): setup.py constraints.txt
	@test -n '$(PYTHON)' || { echo 'error: no Python 3.11 or 3.12 with venv was found; install one (Debian: apt install python3-venv) or give PYTHON=path' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch torchvision setuptools wheel
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[onedl,dicom,probe,dev]'
	@# The hosts pull in the OpenCV build that needs libGL; both write into one cv2/.
	$(BIN)/python -m pip uninstall --quiet --yes opencv-python opencv-python-headless
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps opencv-python-headless
	touch $@

test: $(INSTALLED) lint
	@# loadfile: what a file's tests share (a phantom, a training) is made once.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

doctor: $(INSTALLED)
	$(BIN)/python tools/doctor.py

# The demo, step by step; each step's last output is its target, so a demo that was stopped
# goes on with the step that was under way. SEED is of the training; the data stay the same.
demo: $(INSTALLED) $(REPORT)/metrics.json
	@$(BIN)/python tools/evaluate.py $(DEMO)/data/annotations/test_truth.json $(REPORT)/results.json \
		--score-thr-from $(RUN)/val/metrics.json --image-root $(DEMO)/data/images --out-dir $(REPORT)
	@echo 'These are patients that no training saw, scored on every lesion drawn, at the threshold'
	@echo 'that was best on val. To look at: $(REPORT)/report.html'

$(DEMO)/raw/manifest.csv: | $(INSTALLED)
	$(BIN)/python tools/make_phantom.py $(DEMO)/raw --patients 200 --seed 0 --overwrite

$(DEMO)/data/annotations/train.json: $(DEMO)/raw/manifest.csv
	$(BIN)/python tools/prepare_data.py $(DEMO)/raw/manifest.csv \
		--truth $(DEMO)/raw/truth.csv --out $(DEMO)/data --max-side 256

# A run starts anew when its config, the data or the pretraining changed, and goes on from its
# last checkpoint when it was only stopped. (After a change of the code: make clean.)
$(RUN)/simsiam/last_checkpoint: $(SIMSIAM) $(BASES) $(DEMO)/data/annotations/train.json
	$(BIN)/python tools/pretrain.py $(SIMSIAM) --work-dir $(@D) --cfg-options randomness.seed=$(SEED)

$(RUN)/centernet/.inputs: $(CENTERNET) $(BASES) $(RUN)/simsiam/last_checkpoint
	rm -rf $(@D)
	mkdir -p $(@D)
	touch $@

$(RUN)/centernet/.done: $(RUN)/centernet/.inputs
	$(BIN)/python tools/train.py $(CENTERNET) --work-dir $(@D) --resume --cfg-options \
		randomness.seed=$(SEED) model.backbone.init_cfg.checkpoint=$(RUN)/simsiam
	touch $@

# The threshold is chosen on val and then applied to test.
$(REPORT)/metrics.json: $(RUN)/centernet/.done
	$(BIN)/python tools/test.py $(CENTERNET) $(RUN)/centernet/best_*.pth --work-dir $(RUN)/val \
		--cfg-options test_dataloader.dataset.ann_file=annotations/val.json \
		test_evaluator.0.ann_file=$(DEMO)/data/annotations/val.json \
		test_evaluator.0.out_dir=$(RUN)/val
	$(BIN)/python tools/test.py $(CENTERNET) $(RUN)/centernet/best_*.pth --work-dir $(RUN)/test \
		--cfg-options test_evaluator.0.score_thr=$(RUN)/val/metrics.json \
		test_evaluator.0.out_dir=$(@D)

clean:
	rm -rf $(DEMO)
