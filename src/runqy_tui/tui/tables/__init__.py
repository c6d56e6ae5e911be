"""Resources as tables on the screen: the definitions of ``presentation`` with colours."""
