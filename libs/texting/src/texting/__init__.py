"""Pure rules of text messages: merge fields, segments, phone numbers."""
