"""Error signatures: what many failures have in common, from a bounded sample of them."""

from runqy_tui.diagnosis.signatures.error_signature import Signature, signature
from runqy_tui.diagnosis.signatures.error_survey import (
    ErrorGroup,
    ErrorSurvey,
    Failure,
    collect,
    group,
)

__all__ = ["ErrorGroup", "ErrorSurvey", "Failure", "Signature", "collect", "group", "signature"]
