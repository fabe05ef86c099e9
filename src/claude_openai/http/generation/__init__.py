"""What every endpoint that answers with the model has in common: body, turn, stream."""
