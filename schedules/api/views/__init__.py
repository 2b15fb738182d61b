"""One module a subject. A view finds its row through `visible_to`, asks `require`, makes one service call."""
