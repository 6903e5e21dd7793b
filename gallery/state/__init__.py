"""What was found out once, and what decided it: kept between builds."""
