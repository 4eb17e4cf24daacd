"""The faults that a simulated iMIS knows, and where each can happen."""

# Instead of any answer to a signed-in request.
ANYWHERE = frozenset(
    {
        "401_live_token",
        "403",
        "429",
        "500_before",
        "html_page",
        "unsuccessful_200",
        "hang",
        "slow",
    }
)
# To a login.
TOKEN = frozenset({"429", "500_before", "html_page", "hang", "slow"})
# After a write was committed.
AFTER = frozenset({"500_after", "timeout_after_commit", "drop_after_commit"})
# While a query is run.
RUNNING = frozenset({"404_rest_disabled", "400_missing_prompt", "expire_mid_paging"})
# In the page itself, which is answered all the same.
PAGE = frozenset({"total_drift", "rows_move", "rows_change"})

KNOWN = ANYWHERE | TOKEN | AFTER | RUNNING | PAGE
