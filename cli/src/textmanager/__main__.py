"""`python -m textmanager`."""

from textmanager.main import main

if __name__ == "__main__":
    main()
