"""`textmanager audit verify`: proves, or disproves, that the log and the stores are whole."""
