"""A made-up study, and exports of it as trackers write them."""
