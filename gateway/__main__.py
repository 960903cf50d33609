"""`python -P -m gateway`: the same commands as the console script `scloud-sms`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
