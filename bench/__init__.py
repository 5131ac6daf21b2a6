"""Benchmarks: the product's work beside what people use for it today, on files of England's size."""
