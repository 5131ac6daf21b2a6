"""What the pictures of an evaluation show: values in, figures out, each with its table and its words."""
