"""Communication: messages between roles about a work item, without their text."""

from __future__ import annotations

from typing import Literal

from schemas.envelope import Data, Envelope
from schemas.events.addressees import Addressees
from schemas.vocabulary import Code, MessageIntent, RoleName, UtcTime


class Message(Data):
    """A message from `role` to `to_roles`; `expects_reply` makes it an exchange, `in_reply_to` answers one."""

    message_id: Code
    role: RoleName
    to_roles: Addressees
    in_reply_to: Code | None = None
    intent: MessageIntent | None = None
    expects_reply: bool = False
    reply_due_at: UtcTime | None = None
    problem_id: Code | None = None


class MessageAct(Data):
    message_id: Code
    role: RoleName


class MessageCorrection(MessageAct):
    """The message was wrong. `reported_by` is the role that noticed, where it was not the sender itself."""

    reported_by: RoleName | None = None


class CommunicationSent(Envelope):
    type: Literal["tieline.communication.sent.v1"]
    data: Message


class CommunicationRead(Envelope):
    type: Literal["tieline.communication.read.v1"]
    data: MessageAct


class CommunicationCorrected(Envelope):
    type: Literal["tieline.communication.corrected.v1"]
    data: MessageCorrection
