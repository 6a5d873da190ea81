"""What officers do in a search by their own hand, one module for each act; every act is on record with its reason."""
