"""The HTTP service: what can be asked, and how answers and refusals look."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from leadscore import __version__
from leadscore.errors import LeadscoreError, UserError
from leadscore.results.serve import LeadScore, Standing
from leadscore.serve.forms import build_question
from leadscore.serve.keeper import Keeper, NotReadyError
from leadscore.serve.limits import App, Guard, Pace
from leadscore.serve.page import build_page
from leadscore.serve.refusals import describe_refusal

AT_ONCE = 2  # leads scored at the same time; others wait in the order in which they came
REFUSED = {"description": "It cannot be scored, and why: {'error': words}"}
EMPTY = 'the body is empty: send JSON, such as {"lead_id": "..."}'
NOT_READY = {"description": "Nothing to answer from yet, and why: {'error': words}"}
logger = logging.getLogger(__name__)


def build_app(keeper: Keeper, *, token: str | None, per_second: float) -> App:
    """The service, with its limits.

    Args:
        keeper: holds what is answered from; it starts and stops with the service.
        token: that requests must carry; None for none.
        per_second: how often each client may ask.
    """
    app = FastAPI(
        title=f"leadscore {keeper.settings.project}",
        version=__version__,
        lifespan=_keep(keeper),
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    _add_score(app, keeper)
    _add_standing(app, keeper)
    app.add_exception_handler(RequestValidationError, _refuse_form)
    app.add_exception_handler(HTTPException, _refuse_address)
    app.add_exception_handler(LeadscoreError, _refuse)
    app.add_exception_handler(Exception, _fail)
    return Guard(app, token, Pace(per_second))


def _keep(keeper: Keeper) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # scoring is work for the processor: more at once would only make each of them wait longer
        current_default_thread_limiter().total_tokens = AT_ONCE
        keeper.start()
        yield
        keeper.stop()

    return lifespan


def _add_score(app: FastAPI, keeper: Keeper) -> None:
    question_type = build_question(keeper.settings)
    app.state.question = question_type

    def score(question: Any) -> LeadScore:
        """Probability, tier, reasons and action of one lead, as `leadscore score` would give them."""
        standpoint = keeper.standpoint()
        facts = question.facts()
        if facts is None:
            return standpoint.score_stored(question.lead_id)
        return standpoint.score_posted(question.lead_id, facts)

    score.__annotations__ = {"question": question_type, "return": LeadScore}
    app.post("/score", responses={422: REFUSED, 503: NOT_READY})(score)


def _add_standing(app: FastAPI, keeper: Keeper) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        """That the process answers."""
        return {"status": "ok"}

    @app.get("/ready", responses={503: NOT_READY})
    async def ready() -> JSONResponse:
        """Whether leads can be scored, and from what: moment, model and data."""
        standing: Standing = keeper.describe()
        return JSONResponse(standing.to_dict(), status_code=200 if standing.ready else 503)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> str:
        return build_page(app.openapi())


async def _refuse_form(request: Request, error: Exception) -> JSONResponse:
    """A body that is no question, in words."""
    body = await request.body()
    if not body.strip():
        return JSONResponse({"error": EMPTY}, status_code=422)
    if not request.headers.get("content-type", "").startswith("application/json"):
        words = "send JSON, with the header Content-Type: application/json"
        return JSONResponse({"error": words}, status_code=422)
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    words = describe_refusal(problems, request.app.state.question)
    return JSONResponse({"error": words}, status_code=422)


async def _refuse_address(_: Request, error: Exception) -> JSONResponse:
    """An address that there is not, or another method than it takes."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    words = error.detail if isinstance(error, HTTPException) else str(error)
    if isinstance(error.__cause__, UnicodeDecodeError):
        words = "the body is not UTF-8"
    elif words == "There was an error parsing the body":  # FastAPI's, of JSON that Python refuses
        words = "the body cannot be read: it is nested too deeply, or has too long a number"
    return JSONResponse({"error": words}, status_code=status)


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """What leadscore refuses: the asker's mistake, else something that may pass."""
    if isinstance(error, UserError):
        return JSONResponse({"error": str(error)}, status_code=422)
    if not isinstance(error, NotReadyError):
        logger.warning("%s", error)
    return JSONResponse({"error": str(error)}, status_code=503, headers={"Retry-After": "5"})


async def _fail(_: Request, error: Exception) -> JSONResponse:
    """A bug: in full in the log, without facts of a lead in the answer."""
    return JSONResponse({"error": f"a bug in leadscore: {type(error).__name__}"}, status_code=500)
