"""The directors' yearly review: what changed, the policy's questions, changes deemed necessary, approval."""

from staffords_gdpr.operations.review.yearly import (
    ReviewMaterial,
    ReviewReport,
    ReviewResult,
    prepare,
    review,
)

__all__ = ["ReviewMaterial", "ReviewReport", "ReviewResult", "prepare", "review"]
