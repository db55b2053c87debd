"""The ground floor: what every app stands on, importing none of them."""
