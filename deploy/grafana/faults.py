"""What Grafana's answers mean for whoever pushes. Every message ends in what to do."""

from __future__ import annotations

from schemas.errors import ConfigError, TielineError, TransientError

OLDEST_VERSION = (11, 6)
_LONGEST_SAID = 300

_ADVICE = {
    401: (
        "Grafana does not accept the token",
        "make a new one (Administration, Service accounts, Add token) and put it in GRAFANA_TOKEN or --token-file",
    ),
    403: (
        "the token is not allowed to do this",
        "give its service account the role Admin; or the role Editor, with --no-data-source",
    ),
    404: ("not there", "check that --grafana is the whole address, with the path if Grafana has one"),
    409: (
        "something else is in the way",
        "rename or remove what is there, or choose another folder title with --folder; then push again",
    ),
    412: ("somebody changed it meanwhile", "nothing was overwritten; push again to see the difference"),
}
_REFUSED = ("Grafana refuses it", "this version of Grafana may be too new or too old; report it with what Grafana said")


class GrafanaRefused(ConfigError):  # noqa: N818 - says who refused
    """Grafana answered, and did not do what was asked.

    Attributes:
        status: of HTTP; 0 if the answer was none of Grafana's.
        said: Grafana's own words, if it gave a reason.

    Operator action: what the message says.
    """

    def __init__(self, status: int, message: str, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.said = said


def refused(status: int, doing: str, said: str) -> TielineError:
    """What to raise for an HTTP status of 400 and more. `said`: Grafana's own words, without secrets."""
    words = " ".join(said.split())
    shown = words if len(words) <= _LONGEST_SAID else words[:_LONGEST_SAID] + "…"
    quoted = f" (Grafana: {shown})" if shown and not shown.startswith("<") else ""
    if status == 429 or status >= 500:
        return TransientError(
            f"{doing}: Grafana answers {status}{quoted}; push again later, and look at its log if it stays"
        )
    what, advice = _ADVICE.get(status, _REFUSED)
    if "provenance" in words:
        what, advice = "it belongs to somebody else's provisioning", "remove it there, or push with --no-alerts"
    return GrafanaRefused(status, f"{doing}: {status}, {what}{quoted}; {advice}", shown)


def unreachable(url: str, why: str) -> TransientError:
    """Nobody answers."""
    return TransientError(f"Grafana at {url} cannot be reached ({why}); check the address, the network and its log")


def not_certified(url: str, why: str) -> GrafanaRefused:
    """TLS did not come about."""
    return GrafanaRefused(
        0, f"no trusted connection to {url} ({why}); give the certificate of who signs it with --ca-file"
    )


def redirected(url: str) -> GrafanaRefused:
    """The token is only ever sent to the address that was given."""
    return GrafanaRefused(
        0, f"{url} sends us elsewhere, to which the token is not sent; give that address with --grafana (https?)"
    )


def not_grafana(url: str, doing: str) -> GrafanaRefused:
    """The answer is a page, or nothing that Grafana says."""
    return GrafanaRefused(
        0,
        f"{doing}: what answers at {url} is not Grafana's API, perhaps a proxy's log-in page;"
        " give an address that reaches Grafana itself with --grafana",
    )


def too_old(version: str) -> GrafanaRefused:
    """Below the version that the plug-in needs."""
    return GrafanaRefused(
        0, f"Grafana {version} is older than {'.'.join(map(str, OLDEST_VERSION))}; upgrade Grafana, then push again"
    )


def no_plugin(plugin: str) -> GrafanaRefused:
    """Without it no panel shows anything."""
    return GrafanaRefused(
        404,
        f"Grafana has no plugin {plugin}; install it (Administration, Plugins; or GF_PLUGINS_PREINSTALL_SYNC="
        f"{plugin} and a restart), then push again",
    )
