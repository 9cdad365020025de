# The service as an image: `docker build .`; the sample MCP server and token issuer of docker-compose.yml: `--target sample`.
# glibc, because the wheels of gRPC, CEL and RE2 are built for it; everything is a wheel, so nothing here compiles C.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /build
# constrains the build requirements too
ENV PIP_CONSTRAINT=/build/constraints.txt PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt pyproject.toml setup.py README.md LICENSE ./
COPY protos protos
COPY envoy envoy
COPY extproc extproc
RUN python -m venv /opt/extproc && /opt/extproc/bin/pip install --only-binary=:all: --no-binary=mcp-extproc '.[otlp,s3,kafka]'

FROM build AS build-sample
RUN /opt/extproc/bin/pip install --only-binary=:all: "mcp>=2.3,<3"

FROM python:${PYTHON}-slim-bookworm AS base
LABEL org.opencontainers.image.title="mcp-extproc" \
      org.opencontainers.image.description="Least privilege on MCP traffic: an ext_proc service for Envoy" \
      org.opencontainers.image.licenses="Apache-2.0"
# pip is not needed any more, and a shell user neither
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore pip \
 && groupadd --gid 10001 extproc \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin extproc \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/extproc /run/extproc
ENV PATH=/opt/extproc/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# nothing else is written: run it with a read-only root file system
VOLUME /var/lib/extproc
STOPSIGNAL SIGTERM

FROM base AS sample
COPY --from=build-sample /opt/extproc /opt/extproc

FROM base AS service
COPY --from=build /opt/extproc /opt/extproc
ENV EXTPROC_STATE_DIR=/var/lib/extproc EXTPROC_POLICY=/etc/extproc/policy.yaml
# the control page; where Envoy asks is said by EXTPROC_LISTEN: a unix socket on a shared volume, or TCP with TLS
EXPOSE 9464
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", \
  "import http.client as h; c = h.HTTPConnection('127.0.0.1', 9464, timeout=2); c.request('GET', '/readyz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["extproc"]
CMD ["serve"]
