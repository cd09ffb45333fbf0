"""A customer's own survey results, already added up by roles, as events `survey.scored`."""

from streams.gateway.survey_import.survey_events import SOURCE, SurveyResults, survey_results
from streams.gateway.survey_import.survey_file import Column, SurveyRow, SurveyUnusable, read_survey

__all__ = ["SOURCE", "Column", "SurveyResults", "SurveyRow", "SurveyUnusable", "read_survey", "survey_results"]
