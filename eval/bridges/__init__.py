"""Ways to other evaluation harnesses; what they measure stands beside our scores and never enters them."""
