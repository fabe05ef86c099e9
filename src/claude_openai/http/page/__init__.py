"""The web page under `/ui/`, for people: server-rendered HTML, and small modules of JavaScript that keep it live."""
