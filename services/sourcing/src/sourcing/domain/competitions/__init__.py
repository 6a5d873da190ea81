"""The rules of mini-competitions: invitation, questions, sealed bids, opening, scores, ranking, award and end."""
