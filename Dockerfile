# healer for looking at a tower from a container: check, drill, config, and later the daemon.
# The base is an argument, so that any Python image of the same family serves.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY healer healer
# A folder of wheels makes the build work without a network; an empty one changes nothing.
COPY wheels* /wheels/
RUN python3 -m venv /opt/healer \
 && if ls /wheels/*.whl >/dev/null 2>&1; \
    then /opt/healer/bin/pip install --no-cache-dir --no-index --find-links /wheels healer; \
    else /opt/healer/bin/pip install --no-cache-dir .; fi

FROM ${BASE}
COPY --from=build /opt/healer /opt/healer
RUN useradd --create-home --uid 10001 healer
USER healer
ENV PATH=/opt/healer/bin:$PATH
HEALTHCHECK --interval=60s --timeout=10s CMD ["healer", "config", "check"]
ENTRYPOINT ["healer"]
CMD ["check"]
