"""What happens in a call: a state machine in pure code, its menus, its sentences and the TwiML it answers with."""
