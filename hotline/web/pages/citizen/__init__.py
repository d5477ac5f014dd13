"""The citizen's page on the public listener: one complaint, by its number and its code, without a login."""
