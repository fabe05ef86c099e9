"""What the endpoints that call the model share: the body, the turns, the event stream."""
