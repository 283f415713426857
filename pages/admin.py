"""Admin: accounts, roles, groups and quotas, and what each role may do."""

import streamlit as st

from synth.ui import admin_people, views

st.subheader("Admin", anchor=False)
with views.show_error():
    admin_people.panel()
