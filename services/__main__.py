"""The `ringfence` command: loads the program, while garbage is not looked for, which finds none and takes a fifth."""

import gc


def main() -> None:
    """Load everything, then do as the command line says."""
    gc.disable()
    from services import cli  # noqa: PLC0415

    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
