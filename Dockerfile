# Builds the image of the daemon: non-root, nothing written outside /data, so it runs with --read-only.
#   docker build -t intaked . && docker run --read-only -p 2525:2525 -p 127.0.0.1:8080:8080 -v intaked:/data intaked
# The desk is published to this machine alone: in front of it stands a proxy with TLS, which Docker's bridge passes on.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/intaked
COPY requirements/extras.txt requirements/
RUN /opt/intaked/bin/pip install --no-cache-dir --require-hashes -r requirements/extras.txt
COPY . .
RUN python -m pip install --no-cache-dir build \
 && python -m build --wheel --outdir /dist \
 && /opt/intaked/bin/pip install --no-cache-dir --no-deps --no-index /dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin intaked \
 && install -d -o intaked -g intaked /data
COPY --from=build /opt/intaked /opt/intaked
ENV PATH=/opt/intaked/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    TMPDIR=/data \
    INTAKE_DATA=/data/var \
    INTAKE_SMTP=0.0.0.0:2525 \
    INTAKE_HTTP=0.0.0.0:8080 \
    INTAKE_PROXIES="172.16.0.0/12 192.168.0.0/16"
USER intaked
WORKDIR /data
VOLUME /data
EXPOSE 2525 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
# The first start writes the starter configuration to /data/config; later ones leave it alone.
CMD ["sh", "-c", "intake init 2>/dev/null && exec intake run"]
