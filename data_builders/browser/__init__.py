"""A page to read a dataset's rows by: image, thought and answer side by side, and what the filters kept out."""
