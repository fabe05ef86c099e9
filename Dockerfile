# The server, with the Claude Code that its Agent SDK brings; docs/guide/docker.md says how to run it.
# Claude Code is linked to glibc: a base on musl (alpine) would not run it.
FROM python:3.13-slim-bookworm AS base

FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# What changes seldom comes first, so that a change of the server's code downloads nothing.
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv --without-pip /opt/claude-openai \
 && pip --python /opt/claude-openai/bin/python install --require-hashes --only-binary :all: --requirement requirements/runtime.txt \
 && pip install --require-hashes --only-binary :all: --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /opt/claude-openai/bin/python install --no-index --no-deps dist/*.whl
# `claude` under its own name is for signing in by hand. That both run here says that they run in the image.
RUN ln -s "$(/opt/claude-openai/bin/python -c 'from claude_openai.claude_code.sdk import bundled_cli; print(bundled_cli())')" \
      /opt/claude-openai/bin/claude \
 && /opt/claude-openai/bin/claude --version \
 && /opt/claude-openai/bin/claude-openai --version

FROM base
LABEL org.opencontainers.image.title="claude-openai" \
      org.opencontainers.image.description="Answers OpenAI clients with the real Claude Code, through the Claude Agent SDK." \
      org.opencontainers.image.licenses="MIT"
# The mounted login is readable by its owner only, so this is to be the id of that user: 1000 is a machine's first.
ARG CLAUDE_UID=1000
# git: Claude Code asks it about a workspace. tini: what a tool leaves running is adopted by process 1, and the server
# reaps none but its own children. Their versions are the base's: Debian keeps no older ones to pin.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid "$CLAUDE_UID" claude \
 && useradd --uid "$CLAUDE_UID" --gid claude --create-home --no-log-init claude \
 && install --directory --owner claude --group claude --mode 0700 /data /workspace
COPY --from=build /opt/claude-openai /opt/claude-openai
ENV PATH=/opt/claude-openai/bin:$PATH \
    CLAUDE_OPENAI_HOST=0.0.0.0 \
    CLAUDE_OPENAI_PORT=8000 \
    CLAUDE_OPENAI_DATA_DIR=/data \
    CLAUDE_OPENAI_OUTPUT_DIR=/data/output
# The base has no bytecode of Python's own modules, and the user below cannot write any: this leaves what is imported.
RUN python -c 'import claude_openai.server.wiring'
USER $CLAUDE_UID
WORKDIR /workspace
EXPOSE 8000
STOPSIGNAL SIGTERM
# The server gives Claude Code ten seconds to say how it is. A proxy in the environment is not for this address.
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as ask; ask.build_opener(ask.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['CLAUDE_OPENAI_PORT'] + '/health', timeout=12)"]
ENTRYPOINT ["tini", "--", "claude-openai"]
