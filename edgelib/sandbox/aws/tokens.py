"""EC2's client tokens: a request that is sent again with its token gets the first result, not a second resource."""

from typing import Optional

from edgelib.sandbox.aws.answers import Answer, error_answer
from edgelib.sandbox.aws.calls import Call

_Key = tuple[str, str, str]


class ClientTokens:
    """The tokens of successful EC2 calls, by Region and action. moto itself ignores them."""

    def __init__(self) -> None:
        self._answers: dict[_Key, tuple[dict[str, str], Answer]] = {}

    @staticmethod
    def _key(call: Call) -> Optional[_Key]:
        token = call.params.get("ClientToken")
        return (call.region, call.action, token) if call.service == "ec2" and token else None

    def answer_for(self, call: Call) -> Optional[Answer]:
        """The answer to a call whose token was used before, or None.

        With other parameters AWS refuses the token (IdempotentParameterMismatch).
        """
        key = self._key(call)
        if key is None or key not in self._answers:
            return None
        params, answer = self._answers[key]
        if params == dict(call.params):
            return answer
        return error_answer(
            call, "IdempotentParameterMismatch", f"Client token {key[2]} was used before with other parameters."
        )

    def keep(self, call: Call, answer: Answer) -> None:
        """Remember a successful answer under its call's token."""
        key = self._key(call)
        if key is not None and answer.status < 300:
            self._answers[key] = (dict(call.params), answer)

    def clear(self) -> None:
        """Forget every token."""
        self._answers.clear()
