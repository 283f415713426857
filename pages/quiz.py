"""Reading room: practise, sit an exam, or take part in a study, one image at a time."""

from synth.ui import quiz, views

with views.show_error():
    quiz.show()
