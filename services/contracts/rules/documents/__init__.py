"""Documents of money, from frozen values to bytes: the same values always give the same bytes."""
