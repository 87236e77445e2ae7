# The page in a container, as Hugging Face Spaces with `sdk: docker` run it (port 7860, user 1000).
#   docker build -t learn2talk . && docker run --rm -p 7860:7860 learn2talk
FROM python:3.12-slim

# Those of packages.txt, and tini (see ENTRYPOINT); without versions, which Debian takes away once
# there are newer ones.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri tini \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 user
USER 1000
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1
WORKDIR /home/user/app

# Before the code, so that a change of the code does not install everything again.
COPY --chown=user requirements.txt ./
RUN pip install --user -r requirements.txt

COPY --chown=user app.py LICENSE MODEL_CARD.md ./
COPY --chown=user assets assets
COPY --chown=user l2t l2t

ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860
EXPOSE 7860

# Asks this container itself, whatever proxy is set.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['GRADIO_SERVER_PORT'] + '/health', timeout=8)"]

# The first process inherits what others leave behind when they are killed: tini sees such
# processes off, which would else stay as zombies, and hands on the signal to stop.
ENTRYPOINT ["tini", "--"]
CMD ["python", "app.py"]
