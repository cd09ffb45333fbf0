"""FHIR R4 and R5: what an EHR says of requests, messages and stays becomes drafts of Tieline events."""

from streams.gateway.connectors.fhir.fhir import Fhir

__all__ = ["Fhir"]
