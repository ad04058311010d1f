"""A scripted chat model: asks for its calls at once; once they have answers, repeats them as text."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class Scripted(BaseChatModel):
    calls: list[Any]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        answers = [str(message.content) for message in messages if isinstance(message, ToolMessage)]
        message = AIMessage(" | ".join(answers)) if answers else AIMessage("", tool_calls=self.calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


def call_of(order: str, name: str = "refund") -> dict[str, Any]:
    return {"name": name, "args": {"order": order}, "id": f"call-{order}", "type": "tool_call"}


#: For the program of docs/clients/langchain.md.
documented = Scripted(calls=[call_of("20")])
