"""RESA: training and mitigation research for trustworthy multimodal language models.

The ground floor: values, artifacts, models, training and tracking. It imports no other room of the house.
"""

__version__ = "0.1.0"
