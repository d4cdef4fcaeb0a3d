"""A small app that drafts letters with a model and reports itself: run it with `python examples/letters.py`.

With UPTAKE_ENDPOINT, UPTAKE_API_KEY and UPTAKE_PSEUDONYM_KEY in the environment (`uptake up` and
`uptake keys create` give the first two) its events go there; without, it prints what it would have sent.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uptake
from uptake.testing import Capture


@dataclass
class Answer:
    """What a model's client library would give back."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int


# 1. Around the call of the model: a decorator. `read` takes the tokens from what the model returned.
@uptake.call(
    provider="openai",
    request_model="gpt-5.6-sol",
    prompt_version="v14",
    read=lambda answer: {
        "response_model": answer.model,
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
    },
)
async def draft_letter(claim: str) -> Answer:
    await asyncio.sleep(0)  # a real app waits for its model here
    text = f"Dear customer, we have received your claim about {claim} and regret to decline it."
    return Answer(text, "gpt-5.6-sol-2026-10-01", len(claim) // 4 + 900, len(text) // 4)


# 2. A stream: a block. The first chunk marks the time to the first token.
async def summarise(claim: str) -> str:
    async def chunks() -> AsyncIterator[str]:
        for word in f"Summary of {claim}".split():
            yield word

    async with uptake.call(provider="mistral", request_model="mistral-large", use_case="summary") as call:
        words = [chunk async for chunk in call.astream(chunks())]
        call.set(input_tokens=1_200, output_tokens=len(words))
    return " ".join(words)


async def handle(claim: str, clerk: str) -> None:
    # 3. Who and for what: said once, carried by every event inside, across await.
    async with uptake.context(user=clerk, team="claims", use_case="claims-letter", session=f"claim-{claim}"):
        await summarise(claim)
        answer = await draft_letter(claim)
        # 4. What the person made of it. Both texts stay here: only how much was changed leaves the app.
        final = answer.text.replace("regret to decline it", "are glad to settle it")
        uptake.decision("edited", draft=answer.text, final=final, reasons=["incorrect"], prompt_version="v14")
        uptake.thumb("down", reasons=["wrong_tone"])


async def main() -> None:
    uptake.init(app="claims-letter")
    await asyncio.gather(handle("a broken window", "jane@example.org"), handle("hail", "joe@example.org"))


if __name__ == "__main__":
    if os.environ.get("UPTAKE_ENDPOINT"):
        asyncio.run(main())
        uptake.flush()
        print(uptake.default_client().stats())
    else:
        with Capture() as capture:
            asyncio.run(main())
            for event in capture.events:
                print(json.dumps(event))
