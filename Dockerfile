# One file for every service.
#
#     docker build -t textmanager .                           every service and the command line
#     docker build -t textmanager-sender --build-arg SERVICE=sender .    one service alone
#
# `deploy/install.sh` decides what goes in, by requirements.lock and its hashes.

ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
ARG SERVICE=""
# Its own Python finds the interpreter; bytecode is made now, as the image is read-only later.
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON=/usr/local/bin/python3
WORKDIR /src
# The installer first, with the version and the hashes of the lock, as `make` does it.
COPY requirements.lock ./
COPY tools/setup.py tools/
RUN PYTHONPATH=tools python -c "from pathlib import Path; import setup; \
print(setup.pinned(Path('requirements.lock').read_text(), 'uv'))" > /tmp/installer.txt \
    && pip install --no-cache-dir --require-hashes --no-deps -r /tmp/installer.txt
COPY pyproject.toml ./
COPY contracts/ contracts/
COPY libs/ libs/
COPY services/ services/
COPY simulators/ simulators/
COPY cli/ cli/
COPY deploy/install.sh deploy/
RUN deploy/install.sh /opt/textmanager ${SERVICE}

FROM ${PYTHON}
ARG SERVICE=""
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin textmanager \
    && install -d -o textmanager -g textmanager /var/lib/textmanager
COPY --from=build /opt/textmanager /opt/textmanager
COPY deploy/entrypoint.sh deploy/healthy.py /opt/textmanager/
COPY deploy/rules/ /opt/textmanager/rules/
# Inside a container everybody may connect; what leaves it is decided by what is published.
ENV PATH=/opt/textmanager/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TEXTMANAGER_SERVICE=${SERVICE} \
    TEXTMANAGER_HTTP_HOST=0.0.0.0 \
    TEXTMANAGER_HTTP_PORT=8080 \
    TEXTMANAGER_QUIET_HOURS=/opt/textmanager/rules/quiet-hours.yaml
USER 10001:10001
WORKDIR /var/lib/textmanager
EXPOSE 8080
# A service stops by itself within 10 s of SIGTERM; leave it a little more.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-I", "/opt/textmanager/healthy.py"]
ENTRYPOINT ["/opt/textmanager/entrypoint.sh"]
