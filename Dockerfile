# One image for gateway, workers, scheduler and the one-shot commands of the distributed mode.
#
# It leaves chDB out: 640 MB with what only that needs, for an engine that the distributed mode replaces by a server.
# `uptake up`, `uptake demo` and an empty UPTAKE_CLICKHOUSE_URL therefore do not work in it.
# To pin the base by digest as well: docker buildx imagetools inspect python:3.11.14-slim-trixie, then
# --build-arg PYTHON_IMAGE=python:3.11.14-slim-trixie@sha256:…

ARG PYTHON_IMAGE=python:3.11.14-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build

# What changes seldom comes first: dependencies are a layer of their own.
COPY requirements.lock deploy/locked.py ./
RUN python locked.py --without chdb > service.txt \
    && python locked.py setuptools > build.txt \
    && python -m pip install --require-hashes --only-binary :all: -r build.txt \
    && python -m venv /opt/uptake \
    && /opt/uptake/bin/python -m pip install --require-hashes --only-binary :all: -r service.txt

COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY schemas schemas
COPY ingest ingest
COPY processors processors
COPY sql sql
COPY alerts alerts
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/uptake/bin/python -m pip install --no-deps --no-index /wheels/*.whl \
    && /opt/uptake/bin/python -m pip uninstall --yes pip setuptools \
    && /opt/uptake/bin/python -m compileall -q /opt/uptake/lib


FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="uptake" \
      org.opencontainers.image.description="Adoption, trust, cost and unauthorised use of LLM apps" \
      org.opencontainers.image.licenses="Apache-2.0"

# The base image's own pip is the only tool in it that could install anything.
RUN python -m pip uninstall --yes pip setuptools wheel 2>/dev/null \
    && groupadd --system --gid 10001 uptake \
    && useradd --system --uid 10001 --gid uptake --no-create-home --home-dir /var/lib/uptake --shell /usr/sbin/nologin uptake \
    && install -d -o uptake -g uptake -m 0700 /var/lib/uptake \
    && install -d /workspace
COPY --from=build /opt/uptake /opt/uptake
COPY deploy/healthy.py /opt/uptake/healthy.py

ENV PATH=/opt/uptake/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    UPTAKE_WORKSPACE=/workspace \
    UPTAKE_DATA=/var/lib/uptake
USER 10001:10001
WORKDIR /tmp
CMD ["uptake", "--help"]
