# The command gazetrack on a CPU, as a user who is not root:
#
#     docker build -t gazetrack .
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" gazetrack convert exports -o tables
#
# With the trainer: docker build --build-arg EXTRAS="[model,report]" -t gradtrack .
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ARG EXTRAS=""
# Builds of PyTorch for CPUs, a tenth of those that bring CUDA.
ARG TORCH=https://download.pytorch.org/whl/cpu
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY gazetrack gazetrack
COPY gradtrack_model gradtrack_model
COPY cli cli
RUN python -m venv /opt/gazetrack \
 && /opt/gazetrack/bin/pip install --no-cache-dir --extra-index-url "$TORCH" -c constraints.txt ".$EXTRAS"

FROM python:${PYTHON}
RUN useradd --uid 1000 --create-home gaze
COPY --from=build /opt/gazetrack /opt/gazetrack
# With --user there may be no home: compiled kernels and fonts then have a place all the same.
ENV PATH="/opt/gazetrack/bin:$PATH" \
    PYTHONUTF8=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib
USER 1000
WORKDIR /data
ENTRYPOINT ["gazetrack"]
CMD ["--help"]
