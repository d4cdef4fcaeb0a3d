"""Charts as images, for a Slack that does not take native ones: drawn here, uploaded to nobody, shown by a post.

An upload posts nothing, so whatever goes wrong with it costs an image and no more: the chart is said as text then.
Needs the scope files:write; without it no further upload is tried.
https://docs.slack.dev/messaging/working-with-files#uploading_files
"""

from __future__ import annotations

import http.client
import urllib.error
from collections.abc import Mapping, Sequence

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from uptake.alerts.formats import Language
from uptake.alerts.message import Chart
from uptake.alerts.render import chart as drawing
from uptake.alerts.render.plain import cut, line

KEPT = 64  # of the last uploads, so that a post that is tried again uploads nothing anew
ALTERNATIVE = 1000

_FOR_GOOD = frozenset(
    {"missing_scope", "not_allowed_token_type", "restricted_action", "file_uploads_disabled"}
)

log = structlog.get_logger(__name__)


class Images:
    """Uploads charts as the bot of `client`, and remembers their files."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._files: dict[tuple[Chart, Language], str] = {}
        self._possible = True

    def of(self, charts: Sequence[Chart], locale: Language) -> Mapping[Chart, str]:
        """The ids of the charts' files, with axes in a language; a chart that could not be uploaded is missing."""
        new = [chart for chart in dict.fromkeys(charts) if (chart, locale) not in self._files]
        if new and self._possible:
            self._files |= {(chart, locale): file for chart, file in self._uploaded(new, locale).items()}
            for old in list(self._files)[:-KEPT]:
                del self._files[old]
        return {chart: self._files[chart, locale] for chart in charts if (chart, locale) in self._files}

    def _uploaded(self, charts: Sequence[Chart], locale: Language) -> dict[Chart, str]:
        files = [
            {
                "filename": f"chart-{n}.png",
                "file": drawing.png(chart, locale),
                "title": line(chart.title),
                "alt_txt": cut(line(chart.summary), ALTERNATIVE, locale),
            }
            for n, chart in enumerate(charts, 1)
        ]
        try:
            answer = self._client.files_upload_v2(file_uploads=files)
            done = [str(file["id"]) for file in answer["files"]]
        except SlackApiError as error:
            data = error.response.data
            code = str(data.get("error", ""))[:100] if isinstance(data, Mapping) else ""
            self._possible = code not in _FOR_GOOD
            return self._none(code)
        except (SlackRequestError, urllib.error.URLError, OSError, http.client.HTTPException) as error:
            return self._none(type(error).__name__)
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            return self._none(type(error).__name__)
        return (
            dict(zip(charts, done, strict=True)) if len(done) == len(charts) else self._none("files missing")
        )

    def _none(self, reason: str) -> dict[Chart, str]:
        hint = "" if self._possible else "give the app files:write to have charts as images"
        log.warning("charts are said as text: no image could be uploaded", reason=reason, hint=hint)
        return {}
