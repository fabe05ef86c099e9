"""The environment variables that Claude Code gets from the server: those to run, to sign in and to reach its API.

It is an allow list, so that a secret that we do not know of is not passed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Passed:
    """A group of variables with the reason to pass them on. `variables` has names between white space, `families` has
    prefixes of names.
    """

    reason: str
    variables: str = ""
    families: tuple[str, ...] = ()

    def covers(self, variable: str) -> bool:
        return variable in self.variables.split() or variable.startswith(self.families)

    def listed(self) -> list[str]:
        return [*sorted(self.variables.split()), *(f"{family}*" for family in self.families)]


PASSED: Final = (
    Passed("Who the user is and where their login lies", "HOME USER LOGNAME SHELL", ("XDG_",)),
    Passed("Finding and running programs", "PATH TMPDIR TZ LANG LANGUAGE", ("LC_",)),
    Passed(
        "Windows cannot start a program without these",
        "USERNAME USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES "
        "SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT TEMP TMP OS PROCESSOR_ARCHITECTURE "
        "NUMBER_OF_PROCESSORS CLAUDE_CODE_GIT_BASH_PATH",
    ),
    Passed(
        "Claude Code's own login and upstream",
        "CLAUDE_CONFIG_DIR CLAUDE_SECURESTORAGE_CONFIG_DIR CLAUDE_CODE_OAUTH_TOKEN "
        "CLAUDE_CODE_OAUTH_REFRESH_TOKEN CLAUDE_CODE_OAUTH_SCOPES CLAUDE_CODE_OAUTH_CLIENT_ID "
        "CLAUDE_CODE_CUSTOM_OAUTH_URL CLAUDE_CODE_API_KEY_HELPER_TTL_MS",
        ("ANTHROPIC_", "CLAUDE_CODE_USE_"),
    ),
    Passed(
        "Proxies",
        "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy "
        "CLAUDE_CODE_PROXY_RESOLVES_HOSTS CLAUDE_CODE_ENABLE_PROXY_AUTH_HELPER "
        "CLAUDE_CODE_PROXY_AUTH_HELPER_TTL_MS",
    ),
    Passed(
        "Certificates",
        "SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS NODE_USE_SYSTEM_CA REQUESTS_CA_BUNDLE CURL_CA_BUNDLE "
        "NIX_SSL_CERT_FILE CLAUDE_CODE_CERT_STORE CLAUDE_CODE_CLIENT_CERT CLAUDE_CODE_CLIENT_KEY "
        "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
    ),
    Passed(
        "Amazon Bedrock",
        "CLAUDE_CODE_SKIP_BEDROCK_AUTH CLAUDE_CODE_SKIP_MANTLE_AUTH CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH",
        ("AWS_",),
    ),
    Passed(
        "Google Vertex AI",
        "CLOUD_ML_REGION GCLOUD_PROJECT GOOGLE_APPLICATION_CREDENTIALS GOOGLE_API_CERTIFICATE_CONFIG "
        "GOOGLE_API_USE_CLIENT_CERTIFICATE GOOGLE_GHA_CREDS_PATH CLAUDE_CODE_SKIP_VERTEX_AUTH "
        "CLAUDE_CODE_SKIP_ANTHROPIC_GOOGLE_CLOUD_AUTH",
        ("VERTEX_", "GOOGLE_CLOUD_", "GOOGLE_EXTERNAL_ACCOUNT_", "CLOUDSDK_", "GCE_METADATA_"),
    ),
    Passed(
        "Microsoft Foundry",
        "AZURE_TENANT_ID AZURE_USERNAME AZURE_PASSWORD AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST "
        "AZURE_REGIONAL_AUTHORITY_NAME AZURE_POD_IDENTITY_AUTHORITY_HOST AZURE_TOKEN_CREDENTIALS "
        "AZURE_ADDITIONALLY_ALLOWED_TENANTS AZURE_SUBSCRIPTION_ID AZURE_CONFIG_DIR IDENTITY_ENDPOINT "
        "IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET CLAUDE_CODE_SKIP_FOUNDRY_AUTH",
        ("AZURE_CLIENT_", "AZURE_IDENTITY_"),
    ),
)
"""All variables that Claude Code gets, by purpose; no others are passed on.

The cloud providers' prefixes are narrow, because `AZURE_OPENAI_API_KEY` or `GOOGLE_API_KEY` belong to other programs.
The names are those in the CLI that the pinned Agent SDK bundles.
"""


def login_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables in `environ` that Claude Code needs, without our API keys and other programs' secrets."""
    return {name: value for name, value in environ.items() if any(group.covers(name) for group in PASSED)}
