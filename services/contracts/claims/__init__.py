"""Claims: what a trust asks to be paid, from its submission to its payment."""
