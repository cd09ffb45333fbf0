"""The contract as JSON Schema 2020-12 and AsyncAPI 3.0 documents, generated from the models."""

from schemas.export.contract import contract_documents, write_contract

__all__ = ["contract_documents", "write_contract"]
