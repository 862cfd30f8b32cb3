#!/usr/bin/env bash
# The pictures of the documents are what their commands make today.
set -euo pipefail

if [[ -n ${WHORL_SANITIZE:-} ]]; then exit 77; fi
"$WHORL_SOURCE_DIR/docs/pictures.sh" --check
